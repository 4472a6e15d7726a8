"""The sandbox's hosted page: where a payer would be sent by a real gateway.

It belongs to "another company": no session, no cookies; its address cannot be guessed and is all
that is needed, as with the payment pages it stands in for.
"""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from reservations.payments import sandbox
from reservations.payments.models import SandboxOrder
from reservations.payments.tasks import notify


@csrf_exempt  # nothing here trusts a cookie: whoever has the address may pay, or decline
@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, order: str) -> HttpResponse:
    found = SandboxOrder.objects.filter(pk=order).first()
    if found is None:
        raise Http404
    if request.method == "GET":
        return render(request, "sandbox/pay.html", {"order": found})
    before = found.state
    after = sandbox.pay(order, declined=request.POST.get("answer") == "decline")
    if before != after.state:
        notify(after)
    if after.return_url and after.state == "paid":
        return HttpResponseRedirect(after.return_url)
    return render(request, "sandbox/pay.html", {"order": after})
