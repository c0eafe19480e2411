/** `gesso generate`: a prompt in, picture files out; the last line on stdout is the path. */
import type { Command } from 'commander'
import { Option } from 'commander'
import type { GenerateOptions } from './generate/run-generate.ts'
import { numberOption, wholeNumberOption } from './option-values.ts'
import { previewModes } from './preview/choose-preview.ts'

const formats = ['png', 'jpeg', 'webp', 'avif'] as const

/** Adds the command. */
export function addGenerate(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('generate')
    .description('Make pictures from a prompt and write them to files.')
    .argument('<prompt>', 'what to draw; - reads it from stdin')
    .option('-m, --model <model>', 'a model id; `gesso models` lists them (default: gesso-collage)')
    .option('-o, --output <path>', 'a file, a folder/, or - for the bytes on stdout')
    .option('--image <file|url|id>', 'a picture to change; again for each further one', collect, [])
    .option('--mask <file|url>', 'a PNG whose transparent pixels are what may change')
    .option('--size <WxH>', 'such as 1024x1024, or auto')
    .option('--aspect-ratio <W:H>', 'such as 16:9, instead of a size')
    .option('--n <count>', 'how many pictures', wholeNumberOption)
    .option('--quality <word>', 'auto, low, medium, high …')
    .option('--style <word>', 'vivid or natural')
    .option('--background <word>', 'transparent, opaque or auto')
    .addOption(new Option('--format <format>', 'the file format').choices(formats))
    .option('--compression <percent>', '0 to 100, higher is better; not for png', wholeNumberOption)
    .option('--seed <number>', 'the same seed draws the same again, where the model can', wholeNumberOption)
    .option('--negative-prompt <text>', 'what not to draw')
    .option('--strength <number>', '0 to 1: how far an edit may depart from its picture', numberOption)
    .option('--enhance', 'have the prompt rewritten first')
    .option('--watermark', 'label the picture as machine-made')
    .option('--bucket <label>', 'keep the pictures under this label')
    .addOption(
      new Option('--preview <mode>', 'show the picture in the terminal')
        .choices(previewModes)
        .default('auto'),
    )
    .option('--force', 'overwrite files that exist')
    .option(
      '--url <url>',
      'the server to use (default: GESSO_URL, else the one that runs, else one for this call)',
    )
    .option('--json', 'one JSON object on stdout, errors as JSON on stderr')
    .option('--quiet', 'nothing on stderr but errors')
    .addHelpText(
      'after',
      `
Examples:
  gesso generate "three neon orange foxes in a misty forest at night"
  gesso generate "a red boat" --size 1536x1024 --format webp -o pictures/
  gesso generate "make it a snowy night" --image photo.jpg
  gesso generate "a red boat" -o - | magick - -resize 50% small.png
  echo "a red boat" | gesso generate - --json`,
    )
    .action(async (prompt: string, options: GenerateOptions) => {
      const { runGenerate } = await import('./generate/run-generate.ts')
      await runGenerate(prompt, options, env)
    })
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}
