"""The tour: what Seatlock does, shown on a running one.

    make run                    in one terminal
    make tour                   in another: the demo network
    make tour FEED=CSMT:MAO     any stretch that is on sale, by its stations' codes
    make tour FEED=PATH.zip     a GTFS feed, imported first if it is not there yet

Needs nothing that `make run` does not install. Ends with 1 at the first thing that is not so.
"""
