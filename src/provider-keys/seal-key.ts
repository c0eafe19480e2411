/** Seals keys of accounts, each for its account and its vendor: moved to another row it cannot be opened. */
import { GessoError } from '../lib/errors.ts'
import { createSealedBox, SealError, type Sealed, type SealedBox } from '../lib/sealed-box.ts'
import type { Secret } from '../lib/secret.ts'

/** Whose key it is, and for which vendor. */
export interface KeyPlace {
  accountId: string
  provider: string
}

/** The box of all keys of accounts. `previous` are earlier secrets of the server, which still open. */
export function createKeyBox(options: { secret: Secret; previous?: readonly Secret[] }): SealedBox {
  return createSealedBox({ purpose: 'gesso provider keys', ...options })
}

export function sealKey(box: SealedBox, { accountId, provider }: KeyPlace, key: Secret): Sealed {
  return box.seal(key, [accountId, provider])
}

/** Throws `provider_not_configured`, which says what to do, where the key cannot be read any more. */
export function openKey(box: SealedBox, { accountId, provider }: KeyPlace, sealed: Sealed): Secret {
  try {
    return box.open(sealed, [accountId, provider])
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    const { reason } = error
    throw new GessoError({
      code: 'provider_not_configured',
      attribution: 'client',
      message: `The account's own key for ${provider} cannot be read: ${remedies[reason]}`,
      detail: `${reason}: the key of ${accountId} for ${provider}, sealed with secret ${sealed.secretId}`,
    })
  }
}

const remedies: Record<SealError['reason'], string> = {
  'unknown secret':
    'the secret of this server was changed. The operator sets GESSO_SECRET_PREVIOUS to the earlier one, or stores the key anew.',
  'not for here': 'it was altered in the database. The operator stores it anew.',
}
