"""The figures of a window, beside `agent.kpi`: what each is, its formula, and which time and parts it counts. Pure."""
