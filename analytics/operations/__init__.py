"""What staff see and do: any booking, live holds, the trail of a hold, counts, a stuck hold freed.

Each thing staff do leaves a fact of its own, `staff.<what>`, with who did it and why.
"""
