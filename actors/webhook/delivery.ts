/** What an actor is handed of a webhook: the body of the message that a route sends to it. */

export interface WebhookDelivery {
  readonly type: 'webhook';
  readonly endpoint: string;
  readonly provider: string;
  /** What happened, as the sender names it, such as `invoice.paid`; empty when it does not say. */
  readonly kind: string;
  /** Whose turn it is, as the sender names it: the key of the message without the endpoint. */
  readonly key: string;
  /** The sender's id; empty when it gives none. */
  readonly id: string;
  /** When the gateway took it, milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Media type of `body`, as it came. */
  readonly contentType: string;
  /** Those that the endpoint keeps, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came. */
  readonly body: Uint8Array;
  /** Of a forwarding route: where to. */
  readonly target?: string;
  /** When it was replayed: which replay, and whether its effect may come twice. */
  readonly replay?: { readonly id: string; readonly forced: boolean };
}
