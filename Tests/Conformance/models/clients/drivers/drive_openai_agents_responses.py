from agents import OpenAIResponsesModel
from drive_openai_agents import OpenAIAgents
from scenarios import run


class OpenAIAgentsResponses(OpenAIAgents):
    """The model that the package takes by default."""

    name = "openai-agents, Responses"
    model_of = OpenAIResponsesModel
    # The package takes an answer that was cut for an error of the model.
    cut = None


run(OpenAIAgentsResponses)
