"""The built-in tasks: each module holds a request, its response and the invariants between them."""

from __future__ import annotations

from metier_contracts.task import Task
from metier_contracts.tasks import (
    act,
    classify,
    detect_anomalies,
    embed,
    extract,
    fill_mask,
    forecast,
    generate,
    generate_image,
    graph_score,
    rank,
    segment,
)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(classify.Classify, classify.Classification, classify.INVARIANTS),
        Task(embed.Embed, embed.Embedding, embed.INVARIANTS),
        Task(rank.Rank, rank.Ranking, rank.INVARIANTS),
        Task(fill_mask.FillMask, fill_mask.TokenRanking, fill_mask.INVARIANTS),
        Task(extract.Extract, extract.Extraction, extract.INVARIANTS),
        Task(segment.Segment, segment.Segmentation, segment.INVARIANTS),
        Task(forecast.Forecast, forecast.ForecastResult, forecast.INVARIANTS),
        Task(detect_anomalies.DetectAnomalies, detect_anomalies.Anomalies, detect_anomalies.INVARIANTS),
        Task(graph_score.GraphScore, graph_score.GraphScores, graph_score.INVARIANTS),
        Task(generate.Generate, generate.Generation, generate.INVARIANTS, chunk=generate.GenerationChunk),
        Task(generate_image.GenerateImage, generate_image.GeneratedImage, generate_image.INVARIANTS),
        Task(act.Act, act.ActResult, act.INVARIANTS),
    )
}
