/**
 * For every error code, what it means and what the caller does about it. Shown in the documentation only: the
 * message of an error says what went wrong this time, these sentences what its code always means.
 */
import type { ErrorCode } from '../../lib/errors.ts'

/** Backticks make `code`. Exhaustive: a new code does not compile without its sentence. */
export const errorAdvice: Record<ErrorCode, string> = {
  invalid_image_request:
    'A value is missing, malformed or out of range. The message names the field, what was sent and what is allowed; correct it and send again.',
  unknown_parameter:
    'The operation has no field of this name. Check the spelling, or send `Prefer: handling=lenient` to have unknown fields ignored with a warning.',
  unsupported_parameter:
    'The field exists, but this model or this version of Gesso cannot honour it. Leave it out, or choose a model whose `parameters` in `GET /v1/models` list it.',
  provider_not_configured:
    'The model is known, but no provider that serves it has credentials here. The message names what the operator has to set; `gesso-collage` works without any.',
  unsupported_image:
    'An image is damaged, too large, or in a format that cannot be read. Send it as PNG, JPEG, WebP, GIF or AVIF.',
  moderation_blocked:
    'The provider refused the prompt or the picture under its content rules. The same request will be refused again, so change the prompt.',
  missing_api_key: 'No key was sent. Add the header `Authorization: Bearer $GESSO_API_KEY`.',
  invalid_api_key:
    'The key is malformed, unknown, expired or revoked. Check that it was copied whole, or ask the operator for a new one.',
  insufficient_credit:
    'What the request may cost is more than the account’s credit that is not held for other work. Nothing was started; ask the operator to add credit, or ask for less.',
  spend_limit_reached:
    'The request would go beyond what the key or its account may spend. The message names the limit and when it begins anew; nothing was started.',
  unpriced_model:
    'The model has no price on this server, so that nobody could say what it costs. Choose another model, or ask the operator to set a price.',
  missing_scope:
    'The key is valid, but may not call this operation. The message names the scope it lacks; use a key that has it.',
  model_not_allowed:
    'The key is limited to certain models, and this is not one of them. Choose another model, or ask the operator to allow it.',
  key_disabled:
    'The key or its account has been switched off for now. Ask the operator to enable it, or use another key.',
  signature_invalid:
    'The link to the image has expired or was altered. Get a fresh one from `GET /v1/images/{image_id}`.',
  model_not_found: 'No model has this id or alias. `GET /v1/models` lists those that exist.',
  task_not_found:
    'There is no such generation, it is no longer kept, or it belongs to another account. Check the id and the key.',
  image_not_found:
    'There is no such image, it is no longer kept, or it belongs to another account. Check the id and the key.',
  bucket_not_found: 'The account has no bucket of this name. A bucket comes into being with its first image.',
  account_not_found: 'There is no account of this id. `GET /admin/v1/accounts` lists those that exist.',
  key_not_found: 'There is no API key of this id. `GET /admin/v1/keys` lists those that exist.',
  provider_key_not_found: 'The account has stored no key for this provider.',
  route_not_found:
    'No operation has this method and path. Compare them with this page; a base URL ends in `/v1`.',
  idempotency_in_progress:
    'The same request has been made before and is still at work. Send it again later, or without `Prefer: wait=0` to wait for its end; nothing is made twice.',
  idempotency_key_reused:
    'The `Idempotency-Key` belongs to another request. The same key goes with the same operation and body; use a new one for a new request.',
  last_admin_key:
    'The change would leave no key that can administer this server. Make another key with the scope `admin` first.',
  reference_reused:
    'The reference belongs to another movement of the account’s credit. Use a new one, or the same amount to have the first one told again.',
  request_timeout:
    'The request did not arrive in full in time. Nothing was started, so it is safe to send it again.',
  request_too_large:
    'The body is larger than the server takes, counted after decompression. Send less, for instance smaller input images.',
  unsupported_media_type:
    'The body has a content type or encoding that is not understood. Send JSON with `Content-Type: application/json`.',
  range_not_satisfiable:
    'The `Range` header asks for bytes past the end of the image. Ask for fewer, or leave the header out.',
  rate_limit_exceeded:
    'The key or its account has reached one of its limits on requests, images or work at once, or the provider behind the model has. The message names the limit. Wait as long as `Retry-After` says, then send again.',
  free_quota_exceeded:
    'The free pictures of the last 24 hours are used up. Wait as long as `Retry-After` says, store an own provider key, or ask the operator to add credit.',
  queue_full:
    'The server is making as many images as it can at once. Nothing was started; wait as long as `Retry-After` says, then send again.',
  internal_error:
    'Gesso failed for a reason of its own. If it happens again, give the operator the request id from the `x-request-id` header.',
  upstream_failed:
    'The provider refused or failed to do the work. The message says which; it is the operator who can look into its account and settings.',
  upstream_invalid_response:
    'The provider answered without a usable image. Work may have been done there, so Gesso does not repeat it; whether to send again is your decision.',
  upstream_unavailable:
    'The provider could not be reached or is down, and nothing was started there. Send again later, or choose another model.',
  overloaded:
    'The server cannot take or finish the work just now: it is stopping, or its database or storage has no room. Send again where `x-should-retry` says so.',
  upstream_timeout:
    'The provider accepted the work and did not finish it in the time this server waits (`generation.operation_timeout_ms`). It was told to stop; whether it made a picture is not known, so do not repeat it blindly.',
  outcome_unknown:
    'The provider may have made the image, but Gesso did not hear of it. It is not sent again by itself, because that could be paid for twice; whether to send again is your decision.',
}
