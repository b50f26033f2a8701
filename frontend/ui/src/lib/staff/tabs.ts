import type { Component } from 'svelte';
import type { IconName } from '../ui/icons';

/** One tab of the staff page: /staff/{id}, or /staff/{id}/{item} for one thing in it. */
export interface Tab {
  id: string;
  title: string;
  icon: IconName;
  /** who sees it: anyone with one of these roles */
  roles: string[];
  load: () => Promise<{ default: Component<{ item: string | undefined }> }>;
}

/** In the order in which they are listed; the first one a person may see opens when none is named. */
export const tabs: Tab[] = [
  {
    id: 'requests',
    title: 'Requests',
    icon: 'eye',
    roles: ['support', 'approver'],
    load: () => import('./requests/RequestsTab.svelte'),
  },
  {
    id: 'data',
    title: 'Data requests',
    icon: 'lock',
    roles: ['support'],
    load: () => import('./data/DataTab.svelte'),
  },
  {
    id: 'numbers',
    title: 'Numbers',
    icon: 'chart-column',
    roles: ['operations'],
    load: () => import('./numbers/NumbersTab.svelte'),
  },
];
