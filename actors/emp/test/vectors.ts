/** Notifications as the protocol's documentation shows them; for tests. Password of all: `test-api-password-1`. */

export const VECTORS = {
  approved:
    'transaction_id=tether_1001_ab12&unique_id=44177a21403427eb96664a6d7e5d5d48&transaction_type=sdd_sale&terminal_token=394f2ebc3646d3c017fa1e1cbc4a1e20&status=approved&amount=4999&currency=EUR&signature=b3ae357d255d38a4b2066643630d662e862cb44e',
  declined:
    'transaction_id=tether_1002_ab13&unique_id=130319cfb3bf65ff3c4a4045487b173e&transaction_type=sdd_sale&terminal_token=394f2ebc3646d3c017fa1e1cbc4a1e20&status=declined&amount=4999&currency=EUR&rc_code=AM04&rc_description=Insufficient+Funds&signature=28135c9ad648af400c915beea72a84c62049c237',
  chargebacked:
    'transaction_id=tether_1001_ab12&unique_id=44177a21403427eb96664a6d7e5d5d48&transaction_type=sdd_sale&terminal_token=394f2ebc3646d3c017fa1e1cbc4a1e20&status=chargebacked&amount=4999&currency=EUR&event=chargeback&rc_code=MD06&rc_description=Refund+request+by+end+customer&signature=b3ae357d255d38a4b2066643630d662e862cb44e',
  recurring:
    'transaction_id=tether_1003&unique_id=57ff74d1ca8727f59f243de6d01ff027&transaction_type=sdd_init_recurring_sale&terminal_token=394f2ebc3646d3c017fa1e1cbc4a1e20&status=approved&amount=100&currency=EUR&signature=417285e183eefa4343ec6439585323898ceb4f92bcd7dd248aa3fb98827ecfe7',
  wpf: 'signature=7b08db10f6759208f585ef17c137d655a03ec4a1f4bc69b3b64003f3350653278960cd1949f1580a802c91b73042c760d37ae23956586eb67c7aedd90d487b75&payment_transaction_transaction_type=sdd_sale&payment_transaction_terminal_token=394f2ebc3646d3c017fa1e1cbc4a1e20&payment_transaction_unique_id=bad08183a9ec545daf0f24c48361aa10&payment_transaction_amount=500&wpf_transaction_id=mtid201104081447161135536962&wpf_status=approved&wpf_unique_id=26aa150ee68b1b2d6758a0e6c44fce4c&notification_type=wpf',
  apm: 'notification_type=apm_external_event&signature=28e2297913ee89cd0bcc3c0e39cda2e51b66ee47b2e16ea950cfefb55bc15d6d7ec48da5ffc872e9ae8bf6cb4eb0bcd9fa72223c1c3533889d3f8cf5cdd9f13f&payment_transaction_unique_id=64216236bced683952325b6698b3954a&category=p24_external_refund&priority=info&code=SDR&info=Revoked+payment',
  kyc: 'reference_id=1912&notification_type=kyc_service_execution&risk_score=10&signature=f80fa8b812313026e2ed230317230d9f7a68ab26e20ef722e223250742d4a5863135a501c27d9aaabbf988003e81b089b1b9bcc19412e1370bd80b93f6a08ea6',
} as const;

/** The body of the older form of a chargeback: a transaction of its own that names the original. */
export function legacyChargeback(uniqueId: string, originalId: string, reasonCode: string): string {
  return new URLSearchParams({
    unique_id: uniqueId,
    transaction_id: `legacy_${uniqueId}`,
    transaction_type: 'chargeback',
    original_transaction_unique_id: originalId,
    status: 'approved',
    amount: '100',
    currency: 'EUR',
    reason: 'as the debtor wishes',
    reason_code: reasonCode,
  }).toString();
}
