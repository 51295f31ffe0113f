//! The command line from outside: the binary is run, and judged by its exit code and what it prints.
