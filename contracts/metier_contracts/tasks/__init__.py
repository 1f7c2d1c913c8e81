"""The built-in tasks: each module holds a request, its response and the invariants between them."""

from __future__ import annotations

from metier_contracts.probes.requests import PROBES
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
        Task(classify.Classify, classify.Classification, classify.INVARIANTS, probes=PROBES[classify.Classify.task]),
        Task(embed.Embed, embed.Embedding, embed.INVARIANTS, probes=PROBES[embed.Embed.task]),
        Task(rank.Rank, rank.Ranking, rank.INVARIANTS, probes=PROBES[rank.Rank.task]),
        Task(fill_mask.FillMask, fill_mask.TokenRanking, fill_mask.INVARIANTS, probes=PROBES[fill_mask.FillMask.task]),
        Task(extract.Extract, extract.Extraction, extract.INVARIANTS, probes=PROBES[extract.Extract.task]),
        Task(segment.Segment, segment.Segmentation, segment.INVARIANTS, probes=PROBES[segment.Segment.task]),
        Task(forecast.Forecast, forecast.ForecastResult, forecast.INVARIANTS, probes=PROBES[forecast.Forecast.task]),
        Task(
            detect_anomalies.DetectAnomalies,
            detect_anomalies.Anomalies,
            detect_anomalies.INVARIANTS,
            probes=PROBES[detect_anomalies.DetectAnomalies.task],
        ),
        Task(
            graph_score.GraphScore,
            graph_score.GraphScores,
            graph_score.INVARIANTS,
            probes=PROBES[graph_score.GraphScore.task],
        ),
        Task(
            generate.Generate,
            generate.Generation,
            generate.INVARIANTS,
            chunk=generate.GenerationChunk,
            probes=PROBES[generate.Generate.task],
        ),
        Task(
            generate_image.GenerateImage,
            generate_image.GeneratedImage,
            generate_image.INVARIANTS,
            probes=PROBES[generate_image.GenerateImage.task],
        ),
        Task(act.Act, act.ActResult, act.INVARIANTS, idempotent=False),
    )
}
