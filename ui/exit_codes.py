"""What the command says to the shell."""

DONE, FAILED, USAGE, PARTLY, STOPPED = 0, 1, 2, 3, 130
