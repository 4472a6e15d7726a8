"""A simulation of the engine under faults: one seed, one story, the same each time.

Travellers call the API's own views, workers run Celery's own tasks, staff block seats. Between any
two calls to a store any others may come, and any call may be lost, late, or the last thing its
process does; Redis is flushed, restarted or set back to an older memory; each clock jumps.

*Real*: views, services, the `.lua` files, redis-py with its pool, retry and the circuit breaker,
PostgreSQL with every statement, constraint and lock. *Simulated*: Redis's commands around the
scripts (held against Valkey by `test_same_as_valkey`), MongoDB's insert by id, the network, time,
chance. *Not here*: middleware, rate limits, tokens that end, tickets, a crash of PostgreSQL (P4 has
its own test), threads inside one Python statement. There are 4 shards instead of 64.

    scheduler, crossing, faults, clocks      who goes next, and what goes wrong
    redis_*, lua, postgres_door, mongo_sink  the stores
    world, clients, workers                  what happens
    audit_*, memory_loss                     what must be true after each step and at rest
    simulation, seams, batch                 one seed; where it takes hold of the engine; many
"""
