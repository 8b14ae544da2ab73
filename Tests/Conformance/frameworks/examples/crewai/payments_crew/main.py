#!/usr/bin/env python
import sys
from datetime import datetime

from crew import PaymentsCrew


def run():
    """
    Run the crew.
    """
    inputs = {"topic": "AI LLMs", "current_year": str(datetime.now().year)}
    try:
        PaymentsCrew().crew().kickoff(inputs=inputs)
    except Exception as e:
        raise Exception(f"An error occurred while running the crew: {e}")


def train():
    """
    Train the crew for a given number of iterations.
    """
    PaymentsCrew().crew().train(n_iterations=int(sys.argv[1]), filename=sys.argv[2], inputs={"topic": "AI LLMs"})
