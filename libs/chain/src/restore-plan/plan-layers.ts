import { comparePositions, type Position } from '../position.ts';

/** A backup as an interval `(start, end]` of its source; a full starts at 0. */
export interface BackupLayer {
  readonly id: string;
  readonly start: Position;
  readonly end: Position;
  /** It holds every change, so a restore may stop inside it. */
  readonly revisions?: boolean;
  /** With `revisions`: the changes begin after this position; default its start. */
  readonly revisionStart?: Position;
}

/** Why layers give no plan, with the ends around the target that can be had. */
export interface LayerProblem {
  readonly code:
    | 'layers.none'
    | 'layers.not-covered'
    | 'layers.no-revisions'
    | 'layers.before-revisions'
    | 'layers.not-continuous';
  readonly message: string;
  readonly before: Position | null;
  readonly after: Position | null;
  /** The interval that is missing. */
  readonly gap: { readonly from: Position; readonly to: Position } | null;
}

export type LayerPlan =
  | {
      readonly reachesTarget: true;
      readonly steps: readonly BackupLayer[];
      /** Set when the restore stops inside the last layer. */
      readonly stopAt: Position | null;
    }
  | { readonly reachesTarget: false; readonly problem: LayerProblem };

/**
 * Plans over layers of intervals (rules.md 2.4; cockroachdb.md F66 and F67): truncate at the layer that covers the target,
 * of equal ends take the earliest start, walk back by `end = start`. Where that way breaks off, layers with a later start
 * are tried, so a plan is found whenever there is one.
 * @param target undefined for the newest end.
 */
export function planLayers(layers: readonly BackupLayer[], target?: Position): LayerPlan {
  const stack = new LayerStack(layers);
  const newest = stack.ends.at(-1);
  if (newest === undefined) return stack.problem('layers.none', 'There is no layer.', target ?? '0');
  const wanted = target ?? newest;
  const covering = stack.covering(wanted);
  if (covering.length === 0) {
    const where = comparePositions(wanted, newest) > 0 ? `after the last end ${newest}` : 'in no layer';
    return stack.problem('layers.not-covered', `${wanted} lies ${where}.`, wanted);
  }
  const usable = covering.filter((layer) => stopsAt(layer, wanted));
  if (usable.length === 0) return stack.cannotStop(covering, wanted);
  for (const last of usable) {
    const steps = stack.wayTo(last);
    if (steps !== undefined) {
      return { reachesTarget: true, steps, stopAt: last.end === wanted ? null : wanted };
    }
  }
  return stack.notContinuous(usable, wanted);
}

function stopsAt(layer: BackupLayer, position: Position): boolean {
  if (comparePositions(layer.end, position) === 0) return true;
  const from = layer.revisionStart ?? layer.start;
  return layer.revisions === true && comparePositions(position, from) > 0;
}

/** Layers by their end; of equal ends the earliest start first. */
class LayerStack {
  /** Distinct ends, growing. */
  readonly ends: readonly Position[];
  readonly #byEnd = new Map<Position, BackupLayer[]>();
  readonly #sorted: readonly BackupLayer[];

  constructor(layers: readonly BackupLayer[]) {
    this.#sorted = layers
      .filter((layer) => comparePositions(layer.end, layer.start) > 0)
      .sort((a, b) => comparePositions(a.end, b.end) || comparePositions(a.start, b.start));
    for (const layer of this.#sorted) {
      const same = this.#byEnd.get(layer.end);
      if (same === undefined) this.#byEnd.set(layer.end, [layer]);
      else same.push(layer);
    }
    this.ends = [...this.#byEnd.keys()];
  }

  /** Layers with `start < position ≤ end`, the nearest end first. */
  covering(position: Position): BackupLayer[] {
    return this.#sorted.filter(
      (layer) => comparePositions(layer.end, position) >= 0 && comparePositions(layer.start, position) < 0,
    );
  }

  /** The layers from a full up to this one, each starting where the one before ends; undefined when there is no such way. */
  wayTo(last: BackupLayer): BackupLayer[] | undefined {
    const deadEnds = new Set<Position>();
    const way: { layer: BackupLayer; others: BackupLayer[] }[] = [{ layer: last, others: [] }];
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const { start } = top.layer;
      if (isStart(start)) return way.map((one) => one.layer).reverse();
      const [next, ...others] = deadEnds.has(start) ? [] : (this.#byEnd.get(start) ?? []);
      if (next !== undefined) {
        way.push({ layer: next, others });
        continue;
      }
      deadEnds.add(start);
      this.#goBack(way, deadEnds);
    }
    return undefined;
  }

  /** Replaces the newest choice that has an alternative left; choices without one are given up. */
  #goBack(way: { layer: BackupLayer; others: BackupLayer[] }[], deadEnds: Set<Position>): void {
    for (let top = way.pop(); top !== undefined; top = way.pop()) {
      const [next, ...others] = top.others;
      if (next !== undefined) {
        way.push({ layer: next, others });
        return;
      }
      deadEnds.add(top.layer.end);
    }
  }

  problem(
    code: LayerProblem['code'],
    message: string,
    around: Position,
    gap: LayerProblem['gap'] = null,
  ): LayerPlan {
    const before = this.ends.findLast((end) => comparePositions(end, around) < 0) ?? null;
    const after = this.ends.find((end) => comparePositions(end, around) > 0) ?? null;
    return { reachesTarget: false, problem: { code, message, before, after, gap } };
  }

  cannotStop(covering: readonly BackupLayer[], position: Position): LayerPlan {
    const withRevisions = covering.find((layer) => layer.revisions === true);
    if (withRevisions === undefined) {
      const message = `${position} lies inside a layer without revisions; only its ends can be had.`;
      return this.problem('layers.no-revisions', message, position);
    }
    const from = withRevisions.revisionStart ?? withRevisions.start;
    const message = `The changes of ${withRevisions.id} begin after ${from}; ${position} is not later.`;
    return this.problem('layers.before-revisions', message, position);
  }

  notContinuous(usable: readonly BackupLayer[], position: Position): LayerPlan {
    let missing = position;
    for (const layer of usable) {
      let first: BackupLayer | undefined = layer;
      for (; first !== undefined && !isStart(first.start); first = this.#byEnd.get(first.start)?.[0]) {
        if (comparePositions(first.start, missing) < 0) missing = first.start;
      }
    }
    const from = this.ends.findLast((end) => comparePositions(end, missing) < 0) ?? '0';
    const message = `The layers are not continuous: nothing covers ${from} to ${missing}.`;
    return this.problem('layers.not-continuous', message, position, { from, to: missing });
  }
}

function isStart(position: Position): boolean {
  return comparePositions(position, '0') === 0;
}
