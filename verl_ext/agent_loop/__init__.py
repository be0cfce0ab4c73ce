"""The multi-turn loop: chat tokens, tool calls, episode state, trajectories, and the adapter to verl.

``verl_loop`` and ``replay_buffer`` need verl; everything else imports without torch and verl.
"""
