/** What a check of `gesso doctor` found. */

export interface Finding {
  name: string
  status: 'pass' | 'warn' | 'fail'
  /** What was found and, unless it is good, what to do. */
  message: string
}

/** All is well. */
export const pass = (name: string, message: string): Finding => ({ name, status: 'pass', message })
/** Worth knowing; works all the same. */
export const warn = (name: string, message: string): Finding => ({ name, status: 'warn', message })
/** Does not work. */
export const fail = (name: string, message: string): Finding => ({ name, status: 'fail', message })
