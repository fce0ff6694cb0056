/** A chart over time. uPlot draws; beside the drawing stands in words what it shows. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useStore } from './store.js';
import { theme } from './theme.js';

interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** A custom property of the style sheet. */
  readonly colour: string;
  /** Told apart from the others without colour. */
  readonly dashed?: boolean;
}

const HEIGHT = 168;
const SPAN_SECONDS = 300;

export function Chart(props: {
  title: string;
  /** Milliseconds since the epoch. */
  at: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
}) {
  const { title, at, lines, format } = props;
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const chosen = useStore(theme);
  const shape = lines.map(({ name, colour, dashed }) => `${name} ${colour} ${dashed === true}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: made again only when what it looks like changes; data goes in below.
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(element, lines, format), dataOf(at, lines), element);
    };
    make();
    dark.addEventListener('change', make);
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resized.observe(element);
    return () => {
      dark.removeEventListener('change', make);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape, chosen]);

  useEffect(() => {
    plot.current?.setData(dataOf(at, lines));
  }, [at, lines]);

  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">{title}</span>
        {lines.map(({ name, values, colour, dashed }) => (
          <span key={name} className="legend">
            <svg width="18" height="8" aria-hidden="true" className={`stroke-${colour}`}>
              <line x1="0" y1="4" x2="18" y2="4" strokeDasharray={dashed === true ? '4 3' : undefined} />
            </svg>
            {name} <b>{last(values, format)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={holder} className="canvas" role="img" aria-label={inWords(title, lines, format)} />
    </figure>
  );
}

function last(values: readonly (number | null)[], format: (value: number) => string): string {
  const value = values.at(-1);
  return value === null || value === undefined ? '–' : format(value);
}

function inWords(title: string, lines: readonly Line[], format: (value: number) => string): string {
  const told = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0
      ? `${name}: nothing yet`
      : `${name}: now ${last(values, format)}, lowest ${format(Math.min(...known))}, highest ${format(Math.max(...known))}`;
  });
  return `${title}, the last ${lines[0]?.values.length ?? 0} seconds. ${told.join('; ')}.`;
}

function dataOf(at: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [at.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])];
}

function optionsOf(
  element: HTMLElement,
  lines: readonly Line[],
  format: (value: number) => string,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis: uPlot.Axis = {
    stroke: colour('muted'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('rule'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    // Half of a label of the time axis stands to the right of the last second.
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { range: (_, min, max) => [Math.min(min, max - SPAN_SECONDS), max] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    series: [
      {},
      ...lines.map(
        (line): uPlot.Series => ({
          label: line.name,
          stroke: colour(line.colour),
          width: 1.5,
          points: { show: false },
          ...(line.dashed === true ? { dash: [4, 3] } : { fill: colour(`${line.colour}-wash`) }),
        }),
      ),
    ],
    axes: [
      { ...axis, size: 24, space: 70, values: (_, marks) => marks.map(clockOf) },
      { ...axis, size: 56, space: 34, values: (_, marks) => marks.map(format) },
    ],
  };
}

function clockOf(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString([], { hour12: false });
}
