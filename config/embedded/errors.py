"""What can go wrong while servers are started and kept: each ends the command with one message.

EmbeddedError
├── WrongSetting        a port that is no port
├── MachineUnfit        CPU feature or shared library missing, port taken: nothing was started
├── AlreadyRunning      another process owns this data folder
├── StartFailed         a server did not come up, or a set-up command failed
└── ServerDied          a server that ran has ended by itself
StopRequested           not an error: Ctrl-C, SIGTERM, or the front process is gone
"""


class EmbeddedError(Exception):
    """The message is written for the person at the terminal."""


class WrongSetting(EmbeddedError):
    pass


class MachineUnfit(EmbeddedError):
    pass


class AlreadyRunning(EmbeddedError):
    pass


class StartFailed(EmbeddedError):
    pass


class ServerDied(EmbeddedError):
    pass


class StopRequested(Exception):
    """Raised out of a wait when somebody wants everything to stop."""
