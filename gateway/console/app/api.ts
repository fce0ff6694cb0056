/**
 * Requests to this node's API. A failure is one class with words for the reader; nothing is tried again by itself, as the reader sees and decides.
 */
import { noteReadOnly, session, signOut } from './session.js';

const ANSWER_MS_MAX = 30_000;
/** A bulk replay runs until the server's own deadline. */
const CHANGE_MS_MAX = 120_000;

export class ApiError extends Error {
  /** 0: there was no answer. */
  readonly status: number;
  /** The end of the problem's type, or empty. */
  readonly problem: string;

  constructor(status: number, problem: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** @throws ApiError */
export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return ask<T>(text === '' ? path : `${path}?${text}`, { method: 'GET', ms: ANSWER_MS_MAX, signal });
}

/** @throws ApiError */
export function change<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  return ask<T>(path, { method, ms: CHANGE_MS_MAX, body });
}

interface Asked {
  readonly method: string;
  readonly ms: number;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

async function ask<T>(path: string, { method, ms, body, signal }: Asked): Promise<T> {
  const response = await open(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    signal:
      signal === undefined ? AbortSignal.timeout(ms) : AbortSignal.any([signal, AbortSignal.timeout(ms)]),
  });
  return (await response.json()) as T;
}

/** A response that is a success. @throws ApiError */
export async function open(path: string, init: RequestInit, token = currentToken()): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      headers: { ...init.headers, Authorization: `Bearer ${token}` },
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, '', 'The node does not answer.');
  }
  if (response.ok) return response;
  throw await failure(response, token);
}

async function failure(response: Response, token: string): Promise<ApiError> {
  const { status } = response;
  let problem = '';
  let detail = '';
  try {
    const body: { type?: unknown; detail?: unknown } = await response.json();
    problem = String(body.type ?? '').replace('urn:tether:problem:', '');
    detail = String(body.detail ?? '');
  } catch {
    // Something between the browser and the node answered: its status is all there is to tell.
  }
  if (status === 401) {
    if (token === currentToken())
      signOut('The node does not know this token any more. Give one that is valid.');
    return new ApiError(status, problem, 'The node does not know this token.');
  }
  if (problem === 'scope-missing') {
    if (/operate/.test(detail)) {
      noteReadOnly();
      return new ApiError(status, problem, 'Your token may look but not change.');
    }
    return new ApiError(status, problem, 'This token has not the scope read: it may not look.');
  }
  return new ApiError(status, problem, detail === '' ? `The answer was ${status}.` : sentence(detail));
}

function currentToken(): string {
  const now = session.get();
  return now.mode === 'signed-in' ? now.token : '';
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
