from crewai import LLM, Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task

from tools import BalanceTool, PayTool


@CrewBase
class PaymentsCrew():
    """PaymentsCrew crew"""

    agents_config = "config/agents.yaml"
    tasks_config = "config/tasks.yaml"

    @agent
    def payer(self) -> Agent:
        return Agent(
            config=self.agents_config["payer"], tools=[BalanceTool(), PayTool()], verbose=True,
            llm=LLM(model="openai/gpt-5"))

    @task
    def payment_task(self) -> Task:
        return Task(config=self.tasks_config["payment_task"])

    @crew
    def crew(self) -> Crew:
        """Creates the PaymentsCrew crew"""
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential, verbose=True)
