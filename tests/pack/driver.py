"""Runs an unmodified Pulumi program against the resource monitor at an address, as the language host does."""

import asyncio
import runpy
import sys

import pulumi
import pulumi.runtime

monitor, program, project, stack, dry_run = sys.argv[1:6]
config = pulumi.runtime.get_config_env()
pulumi.runtime.set_all_config(config, pulumi.runtime.get_config_secret_keys_env())
settings = pulumi.runtime.Settings(
    monitor=monitor,
    engine=monitor,
    project=project,
    stack=stack,
    parallel=16,
    dry_run=dry_run == "true",
    organization="organization",
)
pulumi.runtime.configure(settings)
sys.argv = [program]
sys.path.insert(0, program)
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: runpy.run_path(program, run_name="__main__")))
