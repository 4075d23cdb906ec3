"""The plain way as a chat, to measure against: Gradio's ChatInterface as it comes, over what plain.py built.

python benchmarks/plain_chat.py FOLDER PORT
"""

import sys
from pathlib import Path

import gradio as gr
from plain import Opened

opened = Opened(Path(sys.argv[1]))


def chat(message: str, history: list[object]) -> str:
    """The nearest passages."""
    return "\n\n".join(passage for _, passage in opened.nearest(message))


if __name__ == "__main__":
    gr.ChatInterface(chat).launch(server_port=int(sys.argv[2]), quiet=True)
