/** What a service asks when it sends an owner here: /settings/services?connect=SERVICE&state=STATE. */
export interface ConnectRequest {
  service: string;
  /** handed back to the service as it is, so that it knows for whom it asked */
  state?: string;
}

/** Reads it from the query of an address. What is not one asks for nothing: the page opens as usual. */
export function connectRequest(query: string): ConnectRequest | null {
  const params = new URLSearchParams(query);
  const service = params.get('connect') ?? '';
  const state = params.get('state') ?? '';
  if (!/^[a-z0-9][a-z0-9-]{1,62}$/.test(service) || state.length > 500) return null;
  return { service, ...(state && { state }) };
}
