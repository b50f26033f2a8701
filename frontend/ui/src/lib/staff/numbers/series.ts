import type { NumbersMonth } from '../../api/types';
import { questionOf } from './words';

/** One month of a series; without a value nothing was published for it. */
export interface Point {
  month: string;
  owners: number | undefined;
}

/** One answer over the months, oldest first. */
export interface Series {
  id: string;
  label: string;
  points: Point[];
  /** of the latest month, in whole percent of the published total; only where there is one */
  share: number | undefined;
}

export interface Chart {
  id: string;
  title: string;
  text: string;
  series: Series[];
}

/**
 * Turns the months, newest first as they come, into one chart a question. A question or an answer appears when it was
 * published in any of the months. Shares are made of published numbers alone.
 */
export function chartsOf(newestFirst: NumbersMonth[]): Chart[] {
  const months = newestFirst.toReversed();
  const latest = newestFirst[0]?.release;
  const published = newestFirst.flatMap(({ release }) => release?.questions ?? []);
  return unique(published.map(({ id }) => id)).map((id) => {
    const { title, text, cells } = questionOf(id);
    const answers = unique(
      published.filter((each) => each.id === id).flatMap((each) => each.cells.map((cell) => cell.id)),
    );
    const order = Object.keys(cells);
    const total = latest?.questions.find((each) => each.id === id)?.total;
    return {
      id,
      title,
      text,
      series: answers
        .toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
        .map((answer) => {
          const points = months.map(({ month, release }) => ({
            month,
            owners: release?.questions.find((each) => each.id === id)?.cells.find((cell) => cell.id === answer)?.owners,
          }));
          const last = points.at(-1)?.owners;
          return {
            id: answer,
            label: cells[answer] ?? answer,
            points,
            share: total && last !== undefined ? Math.round((100 * last) / total) : undefined,
          };
        }),
    };
  });
}

const unique = (list: string[]): string[] => [...new Set(list)];
