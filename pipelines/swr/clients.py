"""Which client the settings ask for: that of the service, or that of an instance."""

from pipelines.errors import SettingsError
from pipelines.settings import Settings
from pipelines.swr.client import SwrClient
from pipelines.swr.credentials import credentials_from
from pipelines.swr.instance import InstanceClient
from pipelines.swr.transport import Transport


def client_from(settings: Settings, transport: Transport) -> SwrClient:
    """Talk to SWR as the settings say.

    Raises:
        SettingsError: endpoint, credentials or the project of an instance are missing.
    """
    credentials = credentials_from(settings, transport)
    if settings.instance_id is None:
        return SwrClient(settings.endpoint, transport, credentials)
    if settings.project_id is None:
        raise SettingsError(
            "SWR_INSTANCE_ID needs HUAWEICLOUD_SDK_PROJECT_ID: the id of the instance's project."
        )
    return InstanceClient(
        settings.endpoint,
        transport,
        credentials,
        project_id=settings.project_id,
        instance_id=settings.instance_id,
    )
