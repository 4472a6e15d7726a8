"""Live seat maps over WebSockets, served by a small ASGI process of its own.

    hold scripts --PUBLISH--> ear --> feed (a departure) --> rooms (a stretch each) --> sockets
                                      one view script        what changed, encoded     each at its
                                      for all who watch      once, in a bounded log    own pace

Promises: a socket gets a snapshot, then every change in order, with a number that grows by one; a
reader that does not keep up is dropped, and costs no more memory than its position in the log.
Relies on: the view script (`reservations.holds`), as the seat map does; a publication only says
that it is worth a look, so that a lost one costs one heartbeat at most. Never does: write anything,
or show whose a seat is.
"""
