/**
 * `when` of a route: a condition in CEL, compiled once, and bounded whatever it says and whatever it is asked about.
 *
 * It is a subset of CEL: what is here decides about a message and changes nothing. The names in `NAMES` are what it may ask about; `has`,
 * `exists`, `all` and `exists_one` are its macros. `map` and `filter` build lists, which no condition needs. Compiling says what is wrong and
 * where: a name that does not exist would else be a route that never matches.
 *
 * Bounds. The library has none of its own, so each stands here:
 * - text: 1,000 characters, brackets 32 deep, 200 nodes
 * - a pattern of `matches` is a literal, compiled once to see that it is one; matching is by RE2, in time linear in the text
 * - work: who wrote the condition is trusted, who wrote the body is not, and a list in it may be long. Each turn of a macro, and each value
 *   that is compared or searched, costs by its size from the budget of the message (`Meter`). It counts, and looks at no clock: the same
 *   message has the same answer at each try.
 *
 * A condition that cannot be evaluated (a field is missing, the types do not fit, the budget is spent) is no match: the answer is an `Unclear`,
 * for who counts them. `a || b` is true all the same when one of them is.
 */
import {
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  isCelError,
  isCelList,
  isCelMap,
  parse,
  plan,
} from '@bufbuild/cel';
import { RouteError } from './errors.js';

type Expr = ReturnType<typeof parse>['expr'];
type Positions = Readonly<Record<string, number>>;
type CelInput = Exclude<Parameters<ReturnType<typeof plan>>[0], undefined>[string];

/** Of a message, what a condition may ask about. */
export const NAMES = ['endpoint', 'provider', 'type', 'id', 'key', 'contentType', 'headers', 'body'] as const;
export type Name = (typeof NAMES)[number];
export type Bindings = Readonly<Record<Name, CelInput>>;

export const CONDITION_CHARS_MAX = 1_000;
const DEPTH_MAX = 32;
const NODES_MAX = 200;

/** Why there is no answer. Nothing of the message is in it. */
export class Unclear {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export interface Condition {
  ask(bindings: Bindings): boolean | Unclear;
}

/** What the conditions that are asked about one message may cost together, in steps of about 100 ns. */
export class Meter {
  static readonly stepsMax = 50_000;
  #left = 0;

  /** For the next message. */
  fill(): void {
    this.#left = Meter.stepsMax;
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new RangeError('it costs too much for this body');
  }
}

/** Functions, and which of them look at all of a value. */
const FUNCTIONS: ReadonlyMap<string, 'flat' | 'deep'> = new Map([
  ...(['_&&_', '_||_', '!_', '_?_:_', '@not_strictly_false', '_[_]', 'int', 'double', '-_'] as const).map(
    (name) => [name, 'flat'] as const,
  ),
  ...(['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '@in', '_+_', '_-_', '_*_', '_/_', '_%_'] as const).map(
    (name) => [name, 'deep'] as const,
  ),
  ...(['size', 'contains', 'startsWith', 'endsWith', 'matches', 'string'] as const).map(
    (name) => [name, 'deep'] as const,
  ),
]);
const MACROS = 'has, exists, all, exists_one';
/** Of each search for a pattern, which the library compiles anew. */
const PATTERN_STEPS = 300;
const CHARS_A_STEP = 64;

/** @param meter filled for each message before its conditions are asked */
export class Conditions {
  readonly #env: ReturnType<typeof celEnv>;
  readonly #meter: Meter;

  constructor(meter: Meter) {
    const { DYN, INT } = CelScalar;
    this.#meter = meter;
    this.#env = celEnv({
      funcs: [
        // What compiling puts into a condition. No text can call them: `$` is in no name.
        celFunc('$turn', [INT, DYN], DYN, (steps, value) => {
          meter.spend(Number(steps));
          return value;
        }),
        celFunc('$range', [DYN], DYN, (value) => {
          if (isCelList(value) || isCelMap(value)) meter.spend(value.size);
          return value;
        }),
        celFunc('$whole', [DYN], DYN, (value) => {
          spendWhole(meter, value);
          return value;
        }),
      ],
    });
  }

  /** @throws RouteError that says what is wrong and at which character, from 1 */
  compile(text: string): Condition {
    const { expr, positions } = parseText(text);
    const check = new Check(positions);
    check.walk(expr, new Set());
    check.answer(expr);
    const run = plan(this.#env, expr);
    const meter = this.#meter;
    return {
      ask(bindings) {
        try {
          meter.spend(check.steps);
        } catch (error) {
          return new Unclear((error as Error).message);
        }
        const answer = run(bindings);
        if (typeof answer === 'boolean') return answer;
        return new Unclear(isCelError(answer) ? reasonOf(answer) : 'it is neither true nor false');
      },
    };
  }
}

/** The library quotes values in some of its messages: those of a message's body go into no log. */
function reasonOf({ message }: Error): string {
  if (/costs too much/.test(message)) return 'it costs too much for this body';
  if (/not found|no such|unresolved|out of bounds/i.test(message)) return 'a field is missing';
  return 'the types do not fit';
}

function spendWhole(meter: Meter, value: CelValue): void {
  if (typeof value === 'string') meter.spend(1 + Math.trunc(value.length / CHARS_A_STEP));
  else if (isCelList(value)) {
    meter.spend(1 + value.size);
    for (const item of value) spendWhole(meter, item);
  } else if (isCelMap(value)) {
    meter.spend(1 + value.size);
    for (const item of value.values()) spendWhole(meter, item);
  } else meter.spend(1);
}

function parseText(text: string): { readonly expr: Expr; readonly positions: Positions } {
  if (text.length > CONDITION_CHARS_MAX) {
    throw new RouteError(`it has ${text.length} characters, allowed are ${CONDITION_CHARS_MAX}`);
  }
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    // Those in a text count as well: a parser that is asked nothing too deep is worth more.
    if ('([{'.includes(text[at] ?? '')) depth++;
    if (')]}'.includes(text[at] ?? '')) depth--;
    if (depth > DEPTH_MAX) throw new RouteError(`at ${at + 1}: brackets are more than ${DEPTH_MAX} deep`);
  }
  try {
    const { expr, sourceInfo } = parse(text);
    return { expr, positions: sourceInfo?.positions ?? {} };
  } catch (error) {
    throw new RouteError(syntaxProblem(error), { cause: error });
  }
}

function syntaxProblem(error: unknown): string {
  const { message, location } = Object(error) as {
    readonly message?: string;
    readonly location?: { readonly start?: { readonly offset?: number } };
  };
  const found = /found .* but|expecting .*/.exec(message ?? '')?.[0] ?? '';
  return `at ${(location?.start?.offset ?? 0) + 1}: it is no expression of CEL${found === '' ? '' : ` (${found.replace(/ but$/, '')})`}`;
}

/** One walk over what was parsed: refuses what is not allowed, and puts the meter in. */
class Check {
  /** Of one evaluation, without the turns of its macros. */
  steps = 0;
  #nodes = 0;
  readonly #positions: Positions;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  /** @param bound names of the macros around it */
  walk(expr: Expr, bound: ReadonlySet<string>): void {
    this.steps++;
    if (++this.#nodes > NODES_MAX) throw new RouteError(`it has more than ${NODES_MAX} parts`);
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return;
      case 'identExpr': {
        const { name } = exprKind.value;
        if (bound.has(name)) return;
        if (!(NAMES as readonly string[]).includes(name)) {
          this.#refuse(expr, `there is no ${name}; there is ${NAMES.join(', ')}`);
        }
        return;
      }
      case 'selectExpr':
        if (exprKind.value.operand !== undefined) this.walk(exprKind.value.operand, bound);
        return;
      case 'listExpr':
        for (const element of exprKind.value.elements) this.walk(element, bound);
        return;
      case 'callExpr':
        this.#call(expr, exprKind.value, bound);
        return;
      case 'comprehensionExpr':
        this.#macro(expr, exprKind.value, bound);
        return;
      default:
        this.#refuse(expr, 'a condition has no such thing');
    }
  }

  /** What is certainly neither true nor false is a mistake. */
  answer(expr: Expr): void {
    const { exprKind } = expr;
    const isNone =
      exprKind.case === 'listExpr' ||
      (exprKind.case === 'constExpr' && exprKind.value.constantKind.case !== 'boolValue') ||
      (exprKind.case === 'callExpr' &&
        /^(_[-+*/%]_|-_|int|double|string|size)$/.test(exprKind.value.function)) ||
      (exprKind.case === 'identExpr' && exprKind.value.name !== 'body');
    if (isNone) this.#refuse(expr, 'it is neither true nor false');
  }

  #call(expr: Expr, call: Call, bound: ReadonlySet<string>): void {
    const kind = FUNCTIONS.get(call.function);
    if (kind === undefined) {
      const known = [...FUNCTIONS.keys()].filter((name) => /^[a-z]/i.test(name));
      this.#refuse(expr, `there is no ${call.function}; there is ${known.join(', ')}, ${MACROS}`);
    }
    const operands = call.target === undefined ? call.args : [call.target, ...call.args];
    if (call.function === 'matches') this.#pattern(expr, operands);
    for (const operand of operands) this.walk(operand, bound);
    if (kind === 'deep') {
      for (const operand of operands) if (operand.exprKind.case !== 'constExpr') wrap(operand, '$whole', []);
    }
  }

  #pattern(expr: Expr, operands: readonly Expr[]): void {
    const pattern = operands.at(-1)?.exprKind;
    if (
      pattern?.case !== 'constExpr' ||
      pattern.value.constantKind.case !== 'stringValue' ||
      operands.length !== 2
    ) {
      this.#refuse(expr, 'the pattern of matches is a text between quotes');
    }
    this.steps += PATTERN_STEPS;
    const answer = plan(celEnv(), parse(`''.matches(${JSON.stringify(pattern.value.constantKind.value)})`))();
    if (isCelError(answer)) this.#refuse(expr, 'the pattern of matches is none of RE2');
  }

  #macro(expr: Expr, macro: Macro, bound: ReadonlySet<string>): void {
    const { accuInit, iterRange, loopCondition, loopStep, result, iterVar, accuVar } = macro;
    if (accuInit === undefined || iterRange === undefined || loopCondition === undefined) return;
    if (accuInit.exprKind.case === 'listExpr')
      this.#refuse(expr, `map and filter build lists; there is ${MACROS}`);
    this.walk(iterRange, bound);
    wrap(iterRange, '$range', []);
    const inside = new Set([...bound, iterVar, accuVar]);
    const before = this.steps;
    this.walk(loopCondition, inside);
    if (loopStep !== undefined) this.walk(loopStep, inside);
    // Of each turn; what is in another macro inside is counted there once more.
    wrap(loopCondition, '$turn', [constant(loopCondition, this.steps - before)]);
    if (result !== undefined) this.walk(result, inside);
  }

  #refuse(expr: Expr, why: string): never {
    const at = this.#positions[String(expr.id)];
    throw new RouteError(at === undefined ? why : `at ${at + 1}: ${why}`);
  }
}

type Call = Extract<Expr['exprKind'], { readonly case: 'callExpr' }>['value'];
type Macro = Extract<Expr['exprKind'], { readonly case: 'comprehensionExpr' }>['value'];

/** Puts a call of a function of ours in place of an expression, with the expression as its last operand. */
function wrap(expr: Expr, name: string, args: readonly Expr[]): void {
  const inner = { ...expr };
  expr.exprKind = {
    case: 'callExpr',
    value: { $typeName: 'cel.expr.Expr.Call', function: name, args: [...args, inner] },
  };
}

function constant(like: Expr, value: number): Expr {
  return {
    ...like,
    exprKind: {
      case: 'constExpr',
      value: {
        $typeName: 'cel.expr.Constant',
        constantKind: { case: 'int64Value', value: BigInt(value) },
      },
    },
  };
}
