/**
 * A dashboard of Grafana in the words that matter, and the JSON that it is there.
 *
 * Panels flow from left to right and get their ids and places by their order, so that a panel is added in one place. All ask the data source that is chosen on
 * the dashboard, and nothing in the JSON belongs to one installation: it can be imported and provisioned as it is.
 */

/** Grafana's names of units. */
export type Unit = 'none' | 'short' | 's' | 'bytes' | 'percentunit' | 'ops' | 'reqps' | 'bool_yes_no';

export interface Query {
  readonly expr: string;
  /** What a series is called: `{{label}}` stands for its label. */
  readonly legend: string;
  /** Show exemplars: dots that lead to a trace. */
  readonly exemplar?: true;
}

export interface Panel {
  readonly type: 'timeseries' | 'stat' | 'heatmap' | 'state-timeline';
  readonly title: string;
  /** What it means and what is good. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: 3 | 4 | 6 | 8 | 12 | 24;
  /** From this value on it is yellow, and red. With `low` it is the other way around: below it. */
  readonly limits?: { readonly warning?: number; readonly critical: number; readonly low?: true };
  /** Of a value from 0 on by nature: the axis begins there. Default true. */
  readonly fromZero?: boolean;
  readonly max?: number;
  readonly stacked?: true;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  /** `label_values(...)` */
  readonly query: string;
  readonly many: boolean;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

const SCHEMA_VERSION = 41;
const COLUMNS = 24;
const HEIGHTS = { stat: 4, 'state-timeline': 7, timeseries: 8, heatmap: 8 } as const;
/** The one that is chosen on the dashboard. */
const SOURCE = { type: 'prometheus', uid: '$datasource' };

export function grafanaJson({ uid, title, description, variables, rows }: Dashboard): object {
  return {
    uid,
    title,
    description,
    tags: ['tether'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    timezone: 'browser',
    time: { from: 'now-3h', to: 'now' },
    annotations: { list: [] },
    links: [
      {
        title: 'Tether',
        type: 'dashboards',
        tags: ['tether'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: { list: [sourceVariable(), ...variables.map(variableJson)] },
    panels: placed(rows),
  };
}

function placed(rows: readonly Row[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y++;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += height;
        height = 0;
      }
      const h = HEIGHTS[panel.type];
      panels.push({ id: panels.length + 1, ...panelJson(panel), gridPos: { x, y, w: panel.width, h } });
      x += panel.width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

function panelJson(panel: Panel): object {
  const { type, title, description, unit, queries } = panel;
  return {
    type,
    title,
    description,
    datasource: SOURCE,
    fieldConfig: { defaults: { unit, ...limitsJson(panel), custom: customJson(panel) }, overrides: [] },
    options: optionsJson(panel),
    targets: queries.map(({ expr, legend, exemplar }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: SOURCE,
      editorMode: 'code',
      expr,
      legendFormat: legend,
      range: type !== 'stat',
      instant: type === 'stat',
      format: type === 'heatmap' ? 'heatmap' : 'time_series',
      ...(exemplar === undefined ? {} : { exemplar }),
    })),
  };
}

function limitsJson({ limits, fromZero = true, max }: Panel): object {
  const bounds = { ...(fromZero ? { min: 0 } : {}), ...(max === undefined ? {} : { max }) };
  if (limits === undefined) {
    return { ...bounds, color: { mode: 'palette-classic' }, thresholds: steps([['text', null]]) };
  }
  const { warning, critical, low } = limits;
  const between: readonly Step[] = warning === undefined ? [] : [['yellow', warning]];
  return {
    ...bounds,
    color: { mode: 'thresholds' },
    thresholds:
      low === undefined
        ? steps([['green', null], ...between, ['red', critical]])
        : steps([
            ['red', null],
            ...(warning === undefined ? [] : [['yellow', critical] as const]),
            ['green', warning ?? critical],
          ]),
  };
}

type Step = readonly [color: string, value: number | null];

function steps(list: readonly Step[]): object {
  return { mode: 'absolute', steps: list.map(([color, value]) => ({ color, value })) };
}

function customJson({ type, stacked, limits }: Panel): object {
  if (type === 'state-timeline') return { lineWidth: 0, fillOpacity: 80 };
  if (type !== 'timeseries') return {};
  return {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: stacked === undefined ? 5 : 40,
    showPoints: 'never',
    stacking: { mode: stacked === undefined ? 'none' : 'normal', group: 'A' },
    thresholdsStyle: { mode: limits === undefined ? 'off' : 'dashed' },
  };
}

function optionsJson({ type, unit }: Panel): object {
  switch (type) {
    case 'stat':
      return {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        colorMode: 'value',
        graphMode: 'none',
      };
    case 'heatmap':
      return {
        calculate: false,
        yAxis: { unit },
        cellGap: 1,
        exemplars: { color: 'orange' },
        tooltip: { mode: 'single' },
      };
    case 'state-timeline':
      return { mergeValues: true, showValue: 'never', legend: { displayMode: 'list', placement: 'bottom' } };
    case 'timeseries':
      return {
        legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
  }
}

function sourceVariable(): object {
  return {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    hide: 0,
    multi: false,
  };
}

function variableJson({ name, label, query, many }: Variable): object {
  return {
    name,
    label,
    type: 'query',
    datasource: SOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: many,
    includeAll: many,
    ...(many ? { allValue: '.*', current: { text: ['All'], value: ['$__all'] } } : {}),
  };
}
