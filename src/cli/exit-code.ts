/** What the process's exit code says. Documented in the README and tested one by one. */

export const exitCode = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  notAllowed: 3,
  notFound: 4,
  refused: 5,
  limit: 6,
  providerFailed: 7,
  unreachable: 8,
  interrupted: 130,
} as const
