r"""Facts and request logs on their way into MongoDB, each as exactly one document (promise P8).

    outbox (PostgreSQL)   \                                    mark shipped, or XDEL entry by entry
    `{s}:audit` (Redis)    >  read a batch -> shape -> insert, journalled majority -> |
    `requests`  (Redis)   /         '-> dead letter (also journalled) ------------->  |

Promises: a message leaves its source only after MongoDB has it in a majority's journal; whatever
dies between, the message is read again and its `_id` finds the document there. Two shippers at
once do double work, no harm. Relies on: facts that name themselves. Never does: change a
document, trim a stream, wait for MongoDB inside a PostgreSQL transaction.
"""
