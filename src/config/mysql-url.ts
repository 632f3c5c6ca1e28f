/** A server as a URL names it; null for what the URL leaves out. */
export interface MysqlAddress {
  readonly host: string;
  readonly port: number | null;
  readonly user: string | null;
  readonly password: string | null;
}

/**
 * Reads `mysql://user:password@host:port` (or `mariadb://`), percent-encoded where needed, IPv6 addresses in brackets. Gives the
 * problem as a phrase otherwise; it quotes nothing, since the URL may hold a password.
 */
export function parseMysqlUrl(url: string): MysqlAddress | { readonly problem: string } {
  if (!/^(mysql|mariadb):\/\//.test(url)) return { problem: 'expected a URL that begins with mysql://' };
  const rest = url.slice(url.indexOf('//') + 2);
  const at = rest.lastIndexOf('@');
  const authority = rest.slice(at + 1).replace(/\/$/, '');
  if (/[/?#]/.test(authority)) {
    return {
      problem: 'expected nothing after host and port; percent-encode / ? and # in names and passwords',
    };
  }
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return { problem: 'expected mysql://user@host:port' };
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    return { problem: 'expected a port from 1 to 65535' };
  }
  const login = at < 0 ? '' : rest.slice(0, at);
  const colon = login.indexOf(':');
  try {
    const user = decodeURIComponent(colon < 0 ? login : login.slice(0, colon));
    const password = colon < 0 ? null : decodeURIComponent(login.slice(colon + 1));
    return {
      host,
      port: port === undefined ? null : Number(port),
      user: user === '' ? null : user,
      password,
    };
  } catch {
    // decodeURIComponent throws a URIError that may quote the text; the phrase below says the same without it.
    return { problem: 'expected % in names and passwords to be followed by two hexadecimal digits' };
  }
}

/** The URL of a server without a password. */
export function mysqlUrl(address: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `mysql://${encodeURIComponent(address.user)}@${host}:${address.port}`;
}
