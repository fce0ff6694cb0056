/** What can go wrong when the gateway starts. After that, every failure is an answer. */
import { TetherError } from '../runtime/errors.js';

/** Another process listens on the port. */
export class PortBusyError extends TetherError {
  readonly code = 'TETHER_PORT_BUSY';
  readonly retryable = true;
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number, options?: { readonly cause?: unknown }) {
    super(`another process listens on ${host} port ${port}`, options);
    this.host = host;
    this.port = port;
  }
}

/** The address cannot be listened on, for another reason: no such address, no permission. */
export class ListenError extends TetherError {
  readonly code = 'TETHER_LISTEN';
  readonly retryable = false;
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number, reason: string, options?: { readonly cause?: unknown }) {
    super(`cannot listen on ${host} port ${port}: ${reason}`, options);
    this.host = host;
    this.port = port;
  }
}

/** An option makes no sense. The message names it and never holds a token or a secret. */
export class GatewayOptionError extends TetherError {
  readonly code = 'TETHER_GATEWAY_OPTION';
  readonly retryable = false;
}

/** An endpoint that somebody gave over the API cannot be served. Each problem names the field, and shows no secret. */
export class EndpointRefusedError extends TetherError {
  readonly code = 'TETHER_ENDPOINT_REFUSED';
  readonly retryable = false;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/** An endpoint stands in the configuration of the node, and is changed there alone. */
export class EndpointConfiguredError extends TetherError {
  readonly code = 'TETHER_ENDPOINT_CONFIGURED';
  readonly retryable = false;
}
