"""Runs a program with those of this environment (hadolint, shellcheck, zizmor) before all others: program.py NAME ARG…"""

import os
import sys

os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
os.execvp(sys.argv[1], sys.argv[1:])
