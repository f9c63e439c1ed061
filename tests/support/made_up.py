"""Results that no run had: a row for each part, with intervals around what the test says."""

from turntable.evaluation import EvaluationResults, Score, ScoreRow


def scores(**values):
    numbers = {"top1": 0.5, "r2_pooled": 0.4, "r2_averaged": 0.3, "geodesic_mean_deg": 50.0}
    numbers |= {"geodesic_median_deg": 40.0, "acc_at_15": 0.1, "acc_at_30": 0.2, **values}
    return {name: Score(value, value - 0.01, value + 0.01) for name, value in numbers.items()}


def results(method, *rows):
    constant = ScoreRow("constant", 0, scores(top1=0.0625, r2_averaged=-0.0001, geodesic_median_deg=107.2))
    return EvaluationResults(
        method, "small", 0, "zoo", "f" * 64, {"name": "turntable-1"}, 256, 64, 1280, (*rows, constant)
    )
