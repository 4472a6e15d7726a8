"""The embedded servers, looked at from outside: real processes, real signals."""
