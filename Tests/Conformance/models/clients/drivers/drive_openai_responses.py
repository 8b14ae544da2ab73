from responses import OpenAIResponses
from scenarios import run

run(OpenAIResponses)
