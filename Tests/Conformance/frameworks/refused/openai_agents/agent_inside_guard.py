from agents import Agent, Runner

if __name__ == "__main__":
    helper = Agent(name="Assistant", instructions="You are a helpful assistant", model="gpt-5")
    print(Runner.run_sync(helper, "Write a haiku about recursion in programming.").final_output)
