import { call, http } from '../../api/client';
import type { Permission, Problem } from '../../api/types';

type Absorb = (thrown: unknown) => Problem | null;

/** What a mailbox's owner permits to leave, for the owner to take back. */
export class Permissions {
  /** null until they are known */
  all = $state.raw<Permission[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** ids of those that are being taken back */
  ending = $state.raw<string[]>([]);

  readonly senders = $derived(this.all?.filter((permission) => permission.for === 'sender') ?? []);
  readonly messages = $derived(this.all?.filter((permission) => permission.for === 'message') ?? []);

  #account: string;
  #absorb: Absorb;

  constructor(account: string, absorb: Absorb) {
    this.#account = account;
    this.#absorb = absorb;
  }

  async load(): Promise<void> {
    try {
      const { permissions } = await call(
        http.GET('/api/accounts/{account}/permissions', { params: { path: { account: this.#account } } }),
      );
      this.all = permissions;
      this.problem = null;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
  }

  /** Takes one back; it holds for the very next image. Answers whether it did. */
  async withdraw(permission: string): Promise<boolean> {
    this.ending = [...this.ending, permission];
    try {
      await call(
        http.DELETE('/api/accounts/{account}/permissions/{permission}', {
          params: { path: { account: this.#account, permission } },
        }),
      );
      this.all = this.all?.filter(({ id }) => id !== permission) ?? null;
      return true;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
      return false;
    } finally {
      this.ending = this.ending.filter((id) => id !== permission);
    }
  }
}
