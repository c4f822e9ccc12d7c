"""`python -m gradcheck`, the same command as the console script."""

from gradcheck.cli import main

if __name__ == "__main__":
    main()
