"""What verl lacks for code agents: blind to any recipe, importable in small parts.

``sandbox``, ``grading``, ``tools`` and the pure parts of ``agent_loop`` need neither torch nor verl.
"""
