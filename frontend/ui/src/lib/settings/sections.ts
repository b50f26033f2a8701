import type { Component } from 'svelte';
import type { Account } from '../api/types';
import type { IconName } from '../ui/icons';

/** One section of the settings: /settings/{id}. Its code is loaded when it is opened. */
export interface Section {
  id: string;
  title: string;
  icon: IconName;
  /** more words by which the palette finds it */
  words?: string;
  /** what a mailbox's section shows */
  load?: () => Promise<{ default: Component<{ account: Account }> }>;
  /** what a person's section shows, for whom there need be no mailbox */
  personal?: () => Promise<{ default: Component }>;
}

/** In the order in which they are listed; the first opens when none is named. */
export const sections: Section[] = [
  {
    id: 'general',
    title: 'General',
    icon: 'sliders-horizontal',
    words: 'theme dark light density reading pane undo send keyboard shortcuts',
    personal: () => import('./general/GeneralSection.svelte'),
  },
  { id: 'access', title: 'Who may see my mail', icon: 'eye', load: () => import('./access/AccessSection.svelte') },
  {
    id: 'privacy',
    title: 'Privacy and data',
    icon: 'lock',
    personal: () => import('./privacy/PrivacySection.svelte'),
  },
  {
    id: 'services',
    title: 'Connected services',
    icon: 'link',
    load: () => import('./services/ServicesSection.svelte'),
  },
  {
    id: 'permissions',
    title: 'Trusted senders',
    icon: 'shield-check',
    load: () => import('./permissions/PermissionsSection.svelte'),
  },
];
