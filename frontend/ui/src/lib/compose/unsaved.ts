import type { Compose } from '../api/types';

/**
 * What was written and could not be saved in Gmail, kept in this browser until it can be. An entry exists only while
 * its last save has failed; all go at sign-out.
 */
export interface Unsaved {
  key: string;
  account: string;
  draftId?: string;
  compose: Compose;
  /** milliseconds since 1970 */
  at: number;
}

const database = 'webmail';
const store = 'unsaved';

export async function keepUnsaved(entry: Unsaved): Promise<void> {
  await request('readwrite', (entries) => entries.put(entry));
}

export async function dropUnsaved(key: string): Promise<void> {
  await request('readwrite', (entries) => entries.delete(key));
}

export async function listUnsaved(account: string): Promise<Unsaved[]> {
  const all = (await request('readonly', (entries) => entries.getAll())) as Unsaved[] | undefined;
  return (all ?? []).filter((entry) => entry.account === account);
}

export async function forgetUnsaved(): Promise<void> {
  await request('readwrite', (entries) => entries.clear());
}

/** Runs one request. Where the browser has no storage (private windows of some) nothing is kept and nothing fails. */
async function request(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  try {
    const db = await settled(openDatabase());
    try {
      return await settled(act(db.transaction(store, mode).objectStore(store)));
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

function openDatabase(): IDBOpenDBRequest {
  const opening = indexedDB.open(database, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(store, { keyPath: 'key' });
  return opening;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('storage'));
  });
}
