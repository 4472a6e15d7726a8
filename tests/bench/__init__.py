"""Measuring: `make bench`, `make record`, `make rush`, `make profile`.

    loop        sends requests: closed loop, and open loop from the intended moment on
    world       the trains, departures and travellers they are about
    rows        one kind of call each, verified
    served      the real web server, with a bare view beside it for the floor

Everything stays on loopback, and every run is bounded in time and number. Numbers without their
machine mean little: what is compared is measured in turns in one run.
"""
