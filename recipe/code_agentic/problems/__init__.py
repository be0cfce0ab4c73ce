"""The recipe's own problem set: authored templates and the generator that makes problems of them.

``catalogue.all_templates`` lists the templates, ``generate.generate_problems`` makes ``Problem`` records,
``python -m recipe.code_agentic.problems`` writes them as JSON lines. Needs neither torch nor verl.
"""
