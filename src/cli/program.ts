import { Command } from 'commander'
import { version } from '../version.js'
import { compareResults, evaluate, gate, gradient, inspect, merge, report } from './commands.js'
import type { EvaluateOptions, GateOptions } from './commands.js'
import type { ExitStatus } from './failure.js'
import type { Io } from './io.js'
import {
  attackFlags,
  ballFlags,
  baselineFlags,
  dataFlags,
  limitFlags,
  modelFlags,
  policyFlags,
  withFlags,
} from './options.js'
import { replay } from './replay.js'
import type { Flags } from './sources.js'

const FOLDER = 'robustness-gate-results'

const CHECK =
  'check config, data and models, say what would run and how long it takes at most, and attack and write nothing'

/**
 * Runs the command that `argv` (without node and script) names.
 *
 * @throws CommanderError for a command line that is not understood, and at the end of `--help` and `--version`.
 */
export async function runProgram(argv: readonly string[], io: Io): Promise<ExitStatus> {
  let status: ExitStatus = 0
  const ends = async (running: Promise<ExitStatus>) => {
    status = await running
  }
  await describeProgram(ends, io).parseAsync([...argv], { from: 'user' })
  return status
}

function describeProgram(ends: (running: Promise<ExitStatus>) => Promise<void>, io: Io): Command {
  const program = new Command('robustness-gate')
    .description('Attacks a candidate and a baseline ONNX classifier alike, and tells whether robustness was lost.')
    .version(version)
    .exitOverride()
    // Mistakes are told by `failureOf`; what is left for stderr is the help for those who name no command.
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, outputError: () => undefined })
    .addHelpText(
      'after',
      `
Exit status: 0 pass · 1 regression · 2 bad usage, config, data or model · 3 the evaluation broke.
Every option can stand in a config file, in kebab-case or camelCase; options win over the file.`,
    )
  const command = (signature: string, description: string, example: string) =>
    program
      .command(signature)
      .description(description)
      .option('--verbose', 'show where an internal error happened')
      .addHelpText('after', `\nExample:\n  robustness-gate ${example}`)

  withFlags(
    command(
      'gate',
      'evaluate candidate and baseline, compare them, and fail on a regression',
      'gate --candidate new.onnx --baseline old.onnx --data test.npz --epsilon 8/255 --samples 500',
    )
      .option('--candidate <MODEL>', 'the model of the pull request')
      .option('--baseline <MODEL>', 'the model it replaces, its results.json, or none')
      .option('--check', CHECK)
      .option('--config <FILE>', 'YAML or JSON')
      .option(
        '--out <DIR>',
        'for results.json, baseline.json, comparison.json, report.md, junit.xml and robustness.sarif',
        FOLDER,
      ),
    dataFlags,
    attackFlags,
    modelFlags,
    baselineFlags,
    policyFlags,
  ).action(({ out, check, ...flags }: Flags & GateOptions) => ends(gate(flags, { out, check }, io)))

  withFlags(
    command(
      'evaluate',
      'attack one model and write its results.json',
      'evaluate --model model.onnx --data images/ --resize 256 --crop 224 --suite quick',
    )
      .option('--model <MODEL>', 'the model to attack')
      .option('--check', CHECK)
      .option('--config <FILE>', 'YAML or JSON')
      .option('--out <DIR>', 'for results.json and report.md', FOLDER)
      .option('--save-adversarial', 'write the images that fool the model, too: adversarial-<threat>.npz')
      .option('--shard <I/N>', 'only the I-th of N parts of the images; `merge` joins them (default: all)'),
    dataFlags,
    attackFlags,
    modelFlags,
  ).action(({ out, check, saveAdversarial = false, shard, ...flags }: Flags & EvaluateOptions) =>
    ends(evaluate(flags, { out, check, saveAdversarial, shard }, io)),
  )

  command(
    'merge <results.json...>',
    'join the shards of one evaluation, and the adversarial examples beside them, into the whole',
    'merge shard-*/results.json --out merged',
  )
    .addHelpText(
      'after',
      '\nShells of Windows do not expand patterns: give each file by its path, or in PowerShell (Get-ChildItem shard-*/results.json).',
    )
    .option('--out <DIR>', 'for results.json, report.md and adversarial-<threat>.npz', FOLDER)
    .action((files: readonly string[], { out }: { readonly out: string }) => ends(merge(files, out, io)))

  withFlags(
    command(
      'compare <baseline.json> <candidate.json>',
      'compare two results.json and fail on a regression',
      'compare main/results.json branch/results.json --max-robust-drop 2',
    )
      .option('--config <FILE>', 'YAML or JSON')
      .option('--out <DIR>', 'for comparison.json and report.md'),
    policyFlags,
  ).action((baseline: string, candidate: string, { out, ...flags }: Flags) =>
    ends(compareResults(baseline, candidate, flags, out, io)),
  )

  withFlags(
    command(
      'replay <adversarial.npz>',
      'count which saved adversarial examples still fool a model, inside the ball; exit status 0 whatever the count',
      'replay results/adversarial-linf-8_255.npz --model new.onnx --data test.npz --epsilon 8/255',
    )
      .option('--model <MODEL>', 'the model to replay them on')
      .option('--config <FILE>', 'YAML or JSON'),
    dataFlags,
    ballFlags,
    modelFlags,
    limitFlags,
  ).action((archive: string, flags: Flags) => ends(replay(archive, flags, io)))

  command(
    'gradient <model.onnx>',
    'write a model that also computes the loss and its gradient with respect to the input',
    'gradient model.onnx --out gradient.onnx',
  )
    .requiredOption('--out <FILE>', 'the ONNX file to write')
    .action((model: string, { out }: { readonly out: string }) => ends(gradient(model, out, io)))

  command(
    'inspect <model.onnx>',
    'show inputs, outputs, opset and operators, and which of them have no gradient',
    'inspect model.onnx',
  ).action((model: string) => ends(inspect(model, io)))

  command('report <results.json>', 'render a results.json as report.md', 'report results.json --out report')
    .option('--out <DIR>', 'for report.md', FOLDER)
    .action((results: string, { out }: { readonly out: string }) => ends(report(results, out, io)))

  return program
}
