"""The room that starts processes: `python3 run` and what it needs. It knows the settings, and no Flask application.

environment.py and pip_wheel.py run before anything is installed: standard library only, nothing else of webapp.
"""
