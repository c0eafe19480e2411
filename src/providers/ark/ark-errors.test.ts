import { afterEach, describe, expect, it } from 'vitest'
import { call, closeOpened } from './testing/scripted-ark.ts'

afterEach(closeOpened)

/** What an error answer of Ark is told as. */
function told(status: number, error: object, overrides = {}) {
  return call({ status, reply: { error } }, overrides)
}

describe('an error of Ark', () => {
  it.each([
    'SensitiveContentDetected',
    'SensitiveContentDetected.SevereViolation',
    'InputTextSensitiveContentDetected',
    'InputImageSensitiveContentDetected.PrivacyInformation',
    'OutputImageSensitiveContentDetected',
    'InputTextRiskDetection',
    'OutputImageRiskDetection',
  ])('of the code %s is moderation', async (code) => {
    expect(await told(400, { code, message: 'Use another prompt.' })).toMatchObject({
      code: 'moderation_blocked',
      attribution: 'client',
      dispatched: 'yes',
      retryable: false,
      message: 'ByteDance Ark refused: Use another prompt.',
    })
  })

  it.each([
    ['size', 'size'],
    ['image[1]', 'image'],
    ['sequential_image_generation_options.max_images', 'sequential_image_generation'],
    ['optimize_prompt_options.mode', 'go_fast'],
    ['tools', null],
    ['constructor', null],
    ['', null],
  ])('about %s names the field as callers do', async (param, name) => {
    const message = 'The parameter specified in the request is not valid. Request id: 0217'
    const error = { code: 'InvalidParameter', message, param, type: 'BadRequest' }
    expect(await told(400, error)).toMatchObject({
      code: 'invalid_image_request',
      attribution: 'client',
      param: name,
      dispatched: 'no',
      message: `ByteDance Ark did not accept this: ${message}`,
    })
  })

  it.each([
    [404, 'ModelNotOpen'],
    [404, 'InvalidEndpointOrModel.NotFound'],
    [404, 'InvalidEndpointOrModel.ModelIDAccessDisabled'],
    [400, 'InvalidEndpoint.ClosedEndpoint'],
    [403, 'OperationDenied.ServiceNotOpen'],
  ])('of %i %s tells the operator to activate the model', async (status, code) => {
    const message = 'Your account 2100 has not activated it.'
    expect(await told(status, { code, message })).toMatchObject({
      code: 'upstream_failed',
      attribution: 'platform',
      dispatched: 'no',
      message:
        'ByteDance Ark does not know this model, or ARK_BASE_URL leads nowhere: it has to be activated in the Ark console before its first use. Your account 2100 has not activated it.',
    })
  })

  it('about a model never repeats the prompt beside the advice', async () => {
    const prompt = 'a very particular heron with a brass telescope'
    const error = { code: 'ModelNotOpen', message: `Not open for ${prompt}` }
    const failure = await told(404, error, { prompt })
    expect(failure).toMatchObject({ message: expect.stringMatching(/Ark console.*withheld/) })
    expect(JSON.stringify(failure)).not.toContain('heron')
  })

  it.each([
    [403, 'AccountOverdueError', 'no credit or quota left'],
    [403, 'OperationDenied.ServiceOverdue', 'no credit or quota left'],
    [401, 'AuthenticationError', 'check ARK_API_KEY'],
    [403, 'AccessDenied', 'check ARK_API_KEY'],
  ])('of %i %s is the operator’s to mend', async (status, code, says) => {
    expect(await told(status, { code, message: 'told so' })).toMatchObject({
      code: 'upstream_failed',
      attribution: 'platform',
      dispatched: 'no',
      retryable: false,
      message: expect.stringContaining(says),
    })
  })

  it.each([
    'RateLimitExceeded.EndpointRPMExceeded',
    'ModelAccountIpmRateLimitExceeded',
    'QuotaExceeded',
    'ServerOverloaded',
  ])('of the code %s may be tried again', async (code) => {
    expect(await told(429, { code, message: 'later' })).toMatchObject({
      code: 'rate_limit_exceeded',
      attribution: 'capacity',
      dispatched: 'no',
      retryable: true,
      retryAfterMs: 1_000,
    })
  })

  it('without a body that can be read is told by its status', async () => {
    const failure = await call({ status: 404, reply: '<html>nginx</html>' })
    expect(failure).toMatchObject({
      code: 'upstream_failed',
      message: 'ByteDance Ark does not know this model, or ARK_BASE_URL leads nowhere.',
    })
  })
})
