import { expect, test } from 'vitest';
import type { NumbersMonth } from '../../api/types';
import { chartsOf } from './series';

const release = (questions: { id: string; total?: number; cells: Record<string, number> }[]) => ({
  id: 'r',
  catalogue: 1,
  minOwners: 50,
  epsilon: 1,
  delta: 1e-6,
  margin: 18,
  questions: questions.map(({ id, total, cells }) => ({
    id,
    ...(total && { total }),
    cells: Object.entries(cells).map(([cell, owners]) => ({ id: cell, owners })),
  })),
});

test('months run from the oldest, and what was not published is a gap', () => {
  const months: NumbersMonth[] = [
    { month: '2026-10', release: release([{ id: 'features', cells: { write: 220, search: 200 } }]) },
    { month: '2026-09' },
    { month: '2026-08', release: release([{ id: 'features', cells: { search: 180 } }]) },
  ];
  const [chart, ...more] = chartsOf(months);
  expect(more).toEqual([]);
  expect(chart?.series.map(({ label }) => label)).toEqual(['Searched', 'Wrote or sent']);
  expect(chart?.series[0]?.points.map(({ owners }) => owners)).toEqual([180, undefined, 200]);
  expect(chart?.series[1]?.points.map(({ owners }) => owners)).toEqual([undefined, undefined, 220]);
});

test('shares come only with a published total', () => {
  const days = { '1-4': 150, '5-14': 150, '15-31': 300 };
  const shares = (total?: number) =>
    chartsOf([
      { month: '2026-10', release: release([{ id: 'days', ...(total && { total }), cells: days }]) },
    ])[0]?.series.map(({ share }) => share);
  expect(shares(600)).toEqual([25, 25, 50]);
  expect(shares()).toEqual([undefined, undefined, undefined]);
});

test('nothing published makes no chart', () => {
  expect(chartsOf([{ month: '2026-10' }])).toEqual([]);
  expect(chartsOf([])).toEqual([]);
});

test('an answer this page does not know keeps its id', () => {
  const charts = chartsOf([{ month: '2026-10', release: release([{ id: 'later', cells: { what: 200 } }]) }]);
  expect(charts[0]?.title).toBe('later');
  expect(charts[0]?.series[0]?.label).toBe('what');
});
