"""The staff board under `/staff/`: what is sold right now, and what stands in its way.

Every page is tables; a chart is drawn from the table below it, and each table is to be had as CSV.
For staff alone (`is_staff`). What staff change here goes through the same services as the API's
calls, with a reason that is kept in the audit trail.
"""
