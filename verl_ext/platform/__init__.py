"""verl 0.9.1 and vLLM on a machine without a GPU.

Owns the CPU platform class, the few named patches it needs, the environment of a CPU run, the
vLLM worker extension, and the watchdog that ends a run whose workers died. It trains nothing.

`verl_ext.platform.plugin` is what verl's entry-point group `verl.plugins` names. Importing any other
module of this package changes nothing.
"""
