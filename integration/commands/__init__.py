"""The commands of ``pods``, a file per thing they are about; ``integration.cli`` puts them together.

Each imports what it needs when it runs, so that ``pods --help`` is quick.
"""
